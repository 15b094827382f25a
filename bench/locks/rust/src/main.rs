// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The lock loops of ../loops.h for Rust's std and parking_lot.
// Usage: peer-rust std|parking_lot uncontended|nested|short|long|moderate|read THREADS SECONDS
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the threads share, on another cache line than the lock.
#[derive(Default)]
#[repr(align(128))]
struct Line([u64; 4]);

trait Lock: Default + Send + Sync + 'static {
    type Data;
    fn with<R>(&self, f: impl FnOnce(&mut Self::Data) -> R) -> R;
}
trait Rw: Default + Send + Sync + 'static {
    type Data;
    fn read<R>(&self, f: impl FnOnce(&Self::Data) -> R) -> R;
    fn write<R>(&self, f: impl FnOnce(&mut Self::Data) -> R) -> R;
}
impl<T: Default + Send + 'static> Lock for std::sync::Mutex<T> {
    type Data = T;
    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.lock().unwrap())
    }
}
impl<T: Default + Send + 'static> Lock for parking_lot::Mutex<T> {
    type Data = T;
    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.lock())
    }
}
impl<T: Default + Send + Sync + 'static> Rw for std::sync::RwLock<T> {
    type Data = T;
    #[inline(always)]
    fn read<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        f(&self.read().unwrap())
    }
    #[inline(always)]
    fn write<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.write().unwrap())
    }
}
impl<T: Default + Send + Sync + 'static> Rw for parking_lot::RwLock<T> {
    type Data = T;
    #[inline(always)]
    fn read<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        f(&self.read())
    }
    #[inline(always)]
    fn write<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.write())
    }
}

#[inline(always)]
fn spin(mut x: u64, rounds: u32) -> u64 {
    for _ in 0..rounds {
        x = black_box(x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407));
    }
    x
}

fn single<L: Lock<Data = u64>>(nested: bool, seconds: f64) {
    let many: Arc<Vec<L>> = Arc::new((0..100).map(|_| L::default()).collect());
    let other = many.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(3600));
        drop(other);
    });
    let start = Instant::now();
    let mut slices: Vec<f64> = Vec::new();
    while start.elapsed().as_secs_f64() < seconds {
        let begin = Instant::now();
        for i in 0..1000usize {
            if nested {
                let k = i % 99;
                many[k].with(|a| many[k + 1].with(|b| { *a += 1; *b += 1; }));
            } else {
                many[0].with(|a| *a += 1);
            }
        }
        slices.push(begin.elapsed().as_nanos() as f64 / 1000.0);
    }
    slices.sort_by(|a, b| a.partial_cmp(b).unwrap());
    println!("{:.2} 1", slices[slices.len() / 2]);
    std::process::exit(0);
}

fn contend<L: Lock<Data = Line>, W: Rw<Data = Line>>(mode: &str, threads: usize, seconds: f64) {
    let lock = Arc::new(L::default());
    let rw = Arc::new(W::default());
    let stop = Arc::new(AtomicBool::new(false));
    let ready = Arc::new(AtomicUsize::new(0));
    let begun = Arc::new(AtomicBool::new(false));
    let inside = match mode {
        "long" => 1000,
        "moderate" => 100,
        _ => 4,
    };
    let moderate = mode == "moderate";
    let read = mode == "read";
    let handles: Vec<_> = (0..threads)
        .map(|t| {
            let (lock, rw, stop) = (lock.clone(), rw.clone(), stop.clone());
            let (ready, begun) = (ready.clone(), begun.clone());
            std::thread::spawn(move || {
                let (mut x, mut n) = (t as u64, 0u64);
                ready.fetch_add(1, Ordering::SeqCst);
                while !begun.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                while !stop.load(Ordering::Relaxed) {
                    if read {
                        if n % 20 == 19 {
                            rw.write(|d| d.0[0] += 1);
                        } else {
                            x = rw.read(|d| spin(x.wrapping_add(d.0[0]), 30));
                        }
                    } else {
                        x = lock.with(|d| {
                            d.0[0] += 1;
                            d.0[1] = d.0[1].wrapping_add(x);
                            spin(x, inside)
                        });
                    }
                    x = spin(x, if moderate { 500 + (x >> 33) as u32 % 1000 } else { 20 });
                    n += 1;
                }
                black_box(x);
                n
            })
        })
        .collect();
    while ready.load(Ordering::SeqCst) < threads {
        std::thread::yield_now();
    }
    let start = Instant::now();
    begun.store(true, Ordering::SeqCst);
    std::thread::sleep(Duration::from_secs_f64(seconds));
    stop.store(true, Ordering::SeqCst);
    let ns = start.elapsed().as_nanos() as f64;
    let counts: Vec<u64> = handles.into_iter().map(|h| h.join().unwrap()).collect();
    let total: u64 = counts.iter().sum();
    let least = *counts.iter().min().unwrap();
    println!("{:.2} {:.3}", ns / total as f64, least as f64 * threads as f64 / total as f64);
}

fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a.len() != 5 {
        eprintln!("usage: {} std|parking_lot uncontended|nested|short|long|moderate|read THREADS SECONDS", a[0]);
        std::process::exit(2);
    }
    let (threads, seconds): (usize, f64) = (a[3].parse().unwrap(), a[4].parse().unwrap());
    let nested = a[2] == "nested";
    match (a[1].as_str(), a[2].as_str()) {
        ("std", "uncontended" | "nested") => single::<std::sync::Mutex<u64>>(nested, seconds),
        (_, "uncontended" | "nested") => single::<parking_lot::Mutex<u64>>(nested, seconds),
        ("std", m) => contend::<std::sync::Mutex<Line>, std::sync::RwLock<Line>>(m, threads, seconds),
        (_, m) => contend::<parking_lot::Mutex<Line>, parking_lot::RwLock<Line>>(m, threads, seconds),
    }
}
