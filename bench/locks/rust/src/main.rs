// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The lock loops of ../loops.h for Rust's std and parking_lot.
// Usage: peer-rust std|parking_lot uncontended|nested|short|long|read THREADS SECONDS
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

trait Lock: Default + Send + Sync + 'static {
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R;
}
trait Rw: Default + Send + Sync + 'static {
    fn read<R>(&self, f: impl FnOnce(&u64) -> R) -> R;
    fn write<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R;
}
impl Lock for std::sync::Mutex<u64> {
    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
        f(&mut self.lock().unwrap())
    }
}
impl Lock for parking_lot::Mutex<u64> {
    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
        f(&mut self.lock())
    }
}
impl Rw for std::sync::RwLock<u64> {
    #[inline(always)]
    fn read<R>(&self, f: impl FnOnce(&u64) -> R) -> R {
        f(&self.read().unwrap())
    }
    #[inline(always)]
    fn write<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
        f(&mut self.write().unwrap())
    }
}
impl Rw for parking_lot::RwLock<u64> {
    #[inline(always)]
    fn read<R>(&self, f: impl FnOnce(&u64) -> R) -> R {
        f(&self.read())
    }
    #[inline(always)]
    fn write<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
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

fn single<L: Lock>(nested: bool, seconds: f64) {
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

fn contend<L: Lock, W: Rw>(mode: &str, threads: usize, seconds: f64) {
    let lock = Arc::new(L::default());
    let rw = Arc::new(W::default());
    let stop = Arc::new(AtomicBool::new(false));
    let ready = Arc::new(AtomicUsize::new(0));
    let inside = if mode == "long" { 1000 } else { 4 };
    let read = mode == "read";
    let handles: Vec<_> = (0..threads)
        .map(|t| {
            let (lock, rw, stop, ready) = (lock.clone(), rw.clone(), stop.clone(), ready.clone());
            std::thread::spawn(move || {
                let (mut x, mut n) = (t as u64, 0u64);
                ready.fetch_add(1, Ordering::SeqCst);
                while ready.load(Ordering::SeqCst) < threads {}
                while !stop.load(Ordering::Relaxed) {
                    if read {
                        if n % 20 == 19 {
                            rw.write(|d| *d += 1);
                        } else {
                            x = rw.read(|d| spin(x.wrapping_add(*d), 30));
                        }
                    } else {
                        x = lock.with(|d| {
                            *d = d.wrapping_add(x);
                            spin(x, inside)
                        });
                    }
                    x = spin(x, 20);
                    n += 1;
                }
                black_box(x);
                n
            })
        })
        .collect();
    while ready.load(Ordering::SeqCst) < threads {}
    let start = Instant::now();
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
        eprintln!("usage: {} std|parking_lot uncontended|nested|short|long|read THREADS SECONDS", a[0]);
        std::process::exit(2);
    }
    let (threads, seconds): (usize, f64) = (a[3].parse().unwrap(), a[4].parse().unwrap());
    let nested = a[2] == "nested";
    match (a[1].as_str(), a[2].as_str()) {
        ("std", "uncontended" | "nested") => single::<std::sync::Mutex<u64>>(nested, seconds),
        (_, "uncontended" | "nested") => single::<parking_lot::Mutex<u64>>(nested, seconds),
        ("std", m) => contend::<std::sync::Mutex<u64>, std::sync::RwLock<u64>>(m, threads, seconds),
        (_, m) => contend::<parking_lot::Mutex<u64>, parking_lot::RwLock<u64>>(m, threads, seconds),
    }
}
