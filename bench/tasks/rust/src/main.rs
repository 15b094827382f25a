// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// tokio, crossbeam-channel and rayon in the task loops.
// Usage: peer-rust tokio|crossbeam|rayon LOOP WORKERS N   (README.md lists the loops and what each prints)
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

fn cpu_ms() -> f64 {
    let mut u: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut u) };
    let ms = |t: libc::timeval| t.tv_sec as f64 * 1e3 + t.tv_usec as f64 / 1e3;
    ms(u.ru_utime) + ms(u.ru_stime)
}

fn per_op(n: usize, start: Instant) {
    println!("{:.2} ns", start.elapsed().as_nanos() as f64 / n as f64);
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn skynet(out: mpsc::Sender<u64>, num: u64, size: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if size == 1 {
            let _ = out.send(num).await;
            return;
        }
        let (tx, mut rx) = mpsc::channel(1);
        for i in 0..10 {
            tokio::spawn(skynet(tx.clone(), num + i * size / 10, size / 10));
        }
        let mut sum = 0;
        for _ in 0..10 {
            sum += rx.recv().await.unwrap();
        }
        let _ = out.send(sum).await;
    })
}

async fn tokio_queue(producers: usize, n: usize) {
    let (tx, mut rx) = mpsc::channel(128);
    for _ in 0..producers {
        let tx = tx.clone();
        tokio::spawn(async move {
            for i in 0..n / producers {
                tx.send(i).await.unwrap();
            }
        });
    }
    drop(tx);
    let mut sum = 0usize;
    while let Some(v) = rx.recv().await {
        sum += v;
    }
    black_box(sum);
}

async fn spawn_all(n: usize) {
    let handles: Vec<_> = (0..n).map(|i| tokio::spawn(async move { i })).collect();
    for h in handles {
        black_box(h.await.unwrap());
    }
}

async fn tokio_loop(name: &str, n: usize) {
    let start = Instant::now();
    match name {
        "spawn" => {
            spawn_all(n).await;
            per_op(n, start);
        }
        "spawn-again" => {
            spawn_all(n).await;
            let start = Instant::now();
            spawn_all(n).await;
            per_op(n, start);
        }
        "spawn-1000" => {
            for _ in 0..n / 1000 {
                let handles: Vec<_> = (0..1000usize).map(|i| tokio::spawn(async move { i })).collect();
                for h in handles {
                    black_box(h.await.unwrap());
                }
            }
            per_op(n, start);
        }
        "parked" => {
            const PARKED: usize = 1_000_000;
            let before = resident();
            for _ in 0..PARKED {
                tokio::spawn(tokio::time::sleep(Duration::from_secs(1000)));
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            println!("{} bytes", (resident() - before) / PARKED);
            std::process::exit(0);
        }
        "spawn-one" => {
            for i in 0..n {
                black_box(tokio::spawn(async move { i }).await.unwrap());
            }
            per_op(n, start);
        }
        "yield" => {
            let t: Vec<_> = (0..2)
                .map(|_| tokio::spawn(async move { for _ in 0..n { tokio::task::yield_now().await } }))
                .collect();
            for h in t {
                h.await.unwrap();
            }
            per_op(2 * n, start);
        }
        "ping-pong" => {
            let (atx, mut arx) = mpsc::channel(1);
            let (btx, mut brx) = mpsc::channel(1);
            tokio::spawn(async move { while let Some(v) = arx.recv().await { btx.send(v).await.unwrap() } });
            for i in 0..n {
                atx.send(i).await.unwrap();
                brx.recv().await.unwrap();
            }
            per_op(n, start);
        }
        "bounded-1" => { tokio_queue(1, n).await; per_op(n, start) }
        "bounded-4" => { tokio_queue(4, n).await; per_op(n, start) }
        "oneshot" => {
            for i in 0..n {
                let (tx, rx) = oneshot::channel();
                tokio::spawn(async move { tx.send(i).unwrap() });
                black_box(rx.await.unwrap());
            }
            per_op(n, start);
        }
        "skynet" => {
            let (tx, mut rx) = mpsc::channel(1);
            tokio::spawn(skynet(tx, 0, n as u64));
            rx.recv().await.unwrap();
            per_op(1, start);
        }
        "timers" => {
            let before = cpu_ms();
            let t: Vec<_> = (0..n).map(|_| tokio::spawn(tokio::time::sleep(Duration::from_millis(100)))).collect();
            for h in t {
                h.await.unwrap();
            }
            println!("{:.2} ms {:.2} cpu-ms", start.elapsed().as_secs_f64() * 1e3, cpu_ms() - before);
        }
        "mutex" => {
            let m = Arc::new(tokio::sync::Mutex::new(0u64));
            for _ in 0..n {
                *m.lock().await += 1;
            }
            per_op(n, start);
        }
        "echo" => {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let l = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            println!("{}", l.local_addr().unwrap().port());
            loop {
                if let Ok((mut c, _)) = l.accept().await {
                    let _ = c.set_nodelay(true);
                    tokio::spawn(async move {
                        let mut buf = vec![0u8; 4096];
                        while let Ok(k) = c.read(&mut buf).await {
                            if k == 0 || c.write_all(&buf[..k]).await.is_err() {
                                break;
                            }
                        }
                    });
                }
            }
        }
        _ => println!("none"),
    }
}

fn crossbeam(name: &str, n: usize) {
    let producers = match name { "bounded-1" => 1, "bounded-4" => 4, "ping-pong" => 0, _ => { println!("none"); return } };
    let start = Instant::now();
    if producers == 0 {
        let (atx, arx) = crossbeam_channel::bounded(1);
        let (btx, brx) = crossbeam_channel::bounded(1);
        std::thread::spawn(move || { for v in arx { btx.send(v).unwrap() } });
        for i in 0..n {
            atx.send(i).unwrap();
            brx.recv().unwrap();
        }
        return per_op(n, start);
    }
    let (tx, rx) = crossbeam_channel::bounded(128);
    for _ in 0..producers {
        let tx = tx.clone();
        std::thread::spawn(move || for i in 0..n / producers { tx.send(i).unwrap() });
    }
    drop(tx);
    black_box(rx.iter().sum::<usize>());
    per_op(n, start);
}

fn rayon_skynet(num: u64, size: u64) -> u64 {
    if size == 1 {
        return num;
    }
    use rayon::prelude::*;
    (0..10u32).into_par_iter().with_max_len(1).map(|i| rayon_skynet(num + u64::from(i) * size / 10, size / 10)).sum()
}

fn rayon_loop(name: &str, workers: usize, n: usize) {
    use rayon::prelude::*;
    rayon::ThreadPoolBuilder::new().num_threads(workers).build_global().unwrap();
    match name {
        "spawn" | "spawn-again" => {
            if name == "spawn-again" {
                rayon::scope(|s| for i in 0..n { s.spawn(move |_| { black_box(i); }) });
            }
            let start = Instant::now();
            rayon::scope(|s| for i in 0..n { s.spawn(move |_| { black_box(i); }) });
            per_op(n, start);
        }
        "spawn-1000" => {
            let start = Instant::now();
            for _ in 0..n / 1000 {
                rayon::scope(|s| for i in 0..1000 { s.spawn(move |_| { black_box(i); }) });
            }
            per_op(n, start);
        }
        "fork-join" => {
            let start = Instant::now();
            black_box(rayon_skynet(0, n as u64));
            per_op(1, start);
        }
        "sum" => {
            let v: Vec<u64> = (0..n as u64).collect();
            let start = Instant::now();
            black_box(v.par_iter().map(|x| x ^ (x >> 3)).sum::<u64>());
            per_op(n, start);
        }
        "sort" => {
            let mut x = 88172645463325252u64;
            let mut v: Vec<u64> = (0..n).map(|_| { x ^= x << 13; x ^= x >> 7; x ^= x << 17; x }).collect();
            let start = Instant::now();
            v.par_sort_unstable();
            per_op(n, start);
            black_box(v);
        }
        _ => println!("none"),
    }
}

fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a.len() != 5 {
        eprintln!("usage: {} tokio|crossbeam|rayon LOOP WORKERS N", a[0]);
        std::process::exit(2);
    }
    let (workers, n): (usize, usize) = (a[3].parse().unwrap(), a[4].parse().unwrap());
    match a[1].as_str() {
        "crossbeam" => crossbeam(&a[2], n),
        "rayon" => rayon_loop(&a[2], workers, n),
        _ => {
            let mut b = if workers == 1 { tokio::runtime::Builder::new_current_thread() } else { tokio::runtime::Builder::new_multi_thread() };
            let name = a[2].clone();
            let rt = b.worker_threads(workers).enable_all().build().unwrap();
            rt.block_on(async move { tokio::spawn(async move { tokio_loop(&name, n).await }).await.unwrap() })
        }
    }
}
