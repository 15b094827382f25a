// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The lock loops of ../loops.h for Go's sync.Mutex and sync.RWMutex.
// Usage: peer-go uncontended|nested|short|long|moderate|read THREADS SECONDS
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

//go:noinline
func spin(x uint64, rounds int) uint64 {
	for i := 0; i < rounds; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

type padded struct {
	count uint64
	sum   uint64
	_     [112]byte
}

// What the threads share, no two of the first three on one cache line.
var shared struct {
	_    [128]byte
	mu   sync.Mutex
	_    [120]byte
	rw   sync.RWMutex
	_    [104]byte
	data [4]uint64
	_    [96]byte
	many [100]sync.Mutex
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: peer-go uncontended|nested|short|long|moderate|read THREADS SECONDS")
		os.Exit(2)
	}
	mode := os.Args[1]
	threads, _ := strconv.Atoi(os.Args[2])
	seconds, _ := strconv.ParseFloat(os.Args[3], 64)
	span := time.Duration(seconds * 1e9)
	if mode == "uncontended" || mode == "nested" {
		go time.Sleep(time.Hour)
		start := time.Now()
		slices := []float64{}
		for time.Since(start) < span {
			begin := time.Now()
			for i := 0; i < 1000; i++ {
				if mode == "uncontended" {
					shared.mu.Lock()
					shared.data[0]++
					shared.mu.Unlock()
				} else {
					k := i % 99
					shared.many[k].Lock()
					shared.many[k+1].Lock()
					shared.data[0]++
					shared.many[k+1].Unlock()
					shared.many[k].Unlock()
				}
			}
			slices = append(slices, float64(time.Since(begin).Nanoseconds())/1000)
		}
		sort.Float64s(slices)
		fmt.Printf("%.2f 1\n", slices[len(slices)/2])
		return
	}
	moderate := mode == "moderate"
	inside := 4
	if mode == "long" {
		inside = 1000
	} else if moderate {
		inside = 100
	}
	read := mode == "read"
	workers := make([]padded, threads)
	var stop, ready, begun int32
	var wg sync.WaitGroup
	for t := 0; t < threads; t++ {
		wg.Add(1)
		go func(w *padded, x uint64) {
			runtime.LockOSThread()
			defer wg.Done()
			atomic.AddInt32(&ready, 1)
			for atomic.LoadInt32(&begun) == 0 {
				runtime.Gosched()
			}
			n := uint64(0)
			for atomic.LoadInt32(&stop) == 0 {
				if read {
					if n%20 == 19 {
						shared.rw.Lock()
						shared.data[0]++
						shared.rw.Unlock()
					} else {
						shared.rw.RLock()
						x = spin(x+shared.data[0], 30)
						shared.rw.RUnlock()
					}
				} else {
					shared.mu.Lock()
					shared.data[0]++
					shared.data[1] += x
					x = spin(x, inside)
					shared.mu.Unlock()
				}
				outside := 20
				if moderate {
					outside = 500 + int(x>>33%1000)
				}
				x = spin(x, outside)
				n++
			}
			w.count, w.sum = n, x
		}(&workers[t], uint64(t))
	}
	for atomic.LoadInt32(&ready) < int32(threads) {
		runtime.Gosched()
	}
	start := time.Now()
	atomic.StoreInt32(&begun, 1)
	time.Sleep(span)
	atomic.StoreInt32(&stop, 1)
	ns := float64(time.Since(start).Nanoseconds())
	wg.Wait()
	var total, least uint64
	for i := range workers {
		total += workers[i].count
		if i == 0 || workers[i].count < least {
			least = workers[i].count
		}
	}
	fmt.Printf("%.2f %.3f\n", ns/float64(total), float64(least)*float64(threads)/float64(total))
}
