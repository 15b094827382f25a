// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Go in the task loops. Usage: peer-go LOOP WORKERS N   (README.md lists the loops and what each prints)
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(0, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func perOp(n int, f func()) {
	start := time.Now()
	f()
	fmt.Printf("%.2f ns\n", float64(time.Since(start).Nanoseconds())/float64(n))
}

func resident() int {
	var skip, pages int
	text, _ := os.ReadFile("/proc/self/statm")
	fmt.Sscan(string(text), &skip, &pages)
	return pages * os.Getpagesize()
}

func skynet(out chan int, num, size int) {
	if size == 1 {
		out <- num
		return
	}
	c := make(chan int)
	for i := 0; i < 10; i++ {
		go skynet(c, num+i*size/10, size/10)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-c
	}
	out <- sum
}

func queue(capacity, producers, n int) {
	c := make(chan int, capacity)
	var wg sync.WaitGroup
	for p := 0; p < producers; p++ {
		wg.Add(1)
		go func() {
			for i := 0; i < n/producers; i++ {
				c <- i
			}
			wg.Done()
		}()
	}
	go func() { wg.Wait(); close(c) }()
	sum := 0
	for v := range c {
		sum += v
	}
	if sum == 1 {
		fmt.Println(sum)
	}
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: peer-go LOOP WORKERS N")
		os.Exit(2)
	}
	workers, _ := strconv.Atoi(os.Args[2])
	n, _ := strconv.Atoi(os.Args[3])
	runtime.GOMAXPROCS(workers)
	switch os.Args[1] {
	case "spawn", "spawn-again":
		spawnAll := func() {
			var wg sync.WaitGroup
			wg.Add(n)
			for i := 0; i < n; i++ {
				go wg.Done()
			}
			wg.Wait()
		}
		if os.Args[1] == "spawn-again" {
			spawnAll()
		}
		perOp(n, spawnAll)
	case "spawn-1000":
		perOp(n, func() {
			for done := 0; done < n; done += 1000 {
				var wg sync.WaitGroup
				wg.Add(1000)
				for i := 0; i < 1000; i++ {
					go wg.Done()
				}
				wg.Wait()
			}
		})
	case "parked":
		const parked = 100000
		before := resident()
		for i := 0; i < parked; i++ {
			go time.Sleep(1000 * time.Second)
		}
		time.Sleep(time.Second)
		fmt.Printf("%d bytes\n", (resident()-before)/parked)
	case "spawn-one":
		perOp(n, func() {
			c := make(chan int)
			for i := 0; i < n; i++ {
				go func() { c <- i }()
				<-c
			}
		})
	case "yield":
		perOp(2*n, func() {
			var wg sync.WaitGroup
			wg.Add(2)
			for t := 0; t < 2; t++ {
				go func() {
					for i := 0; i < n; i++ {
						runtime.Gosched()
					}
					wg.Done()
				}()
			}
			wg.Wait()
		})
	case "ping-pong":
		perOp(n, func() {
			a, b := make(chan int), make(chan int)
			go func() {
				for v := range a {
					b <- v
				}
			}()
			for i := 0; i < n; i++ {
				a <- i
				<-b
			}
			close(a)
		})
	case "bounded-1":
		perOp(n, func() { queue(128, 1, n) })
	case "bounded-4":
		perOp(n, func() { queue(128, 4, n) })
	case "oneshot":
		perOp(n, func() {
			for i := 0; i < n; i++ {
				c := make(chan int, 1)
				go func() { c <- 1 }()
				<-c
			}
		})
	case "skynet":
		perOp(1, func() {
			c := make(chan int)
			go skynet(c, 0, n)
			<-c
		})
	case "timers":
		start, before := time.Now(), cpu()
		var wg sync.WaitGroup
		wg.Add(n)
		for i := 0; i < n; i++ {
			go func() { time.Sleep(100 * time.Millisecond); wg.Done() }()
		}
		wg.Wait()
		fmt.Printf("%.2f ms %.2f cpu-ms\n", float64(time.Since(start).Microseconds())/1e3, float64((cpu()-before).Microseconds())/1e3)
	case "echo":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		fmt.Println(l.Addr().(*net.TCPAddr).Port)
		for {
			c, err := l.Accept()
			if err != nil {
				continue
			}
			go func() {
				buf := make([]byte, 4096)
				for {
					k, err := c.Read(buf)
					if k > 0 {
						c.Write(buf[:k])
					}
					if err == io.EOF || err != nil {
						c.Close()
						return
					}
				}
			}()
		}
	default:
		fmt.Println("none")
	}
}
