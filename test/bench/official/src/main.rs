//! Runs Rhai scripts and prints their times, one line per file, separated by tabs: result, milliseconds to compile,
//! then milliseconds of each run, all in the processor time of the thread (on Linux; by the clock elsewhere).
//!
//! Usage: picloud-bench-official ROUNDS FILE...

use rhai::{Dynamic, Engine};

/// The limits that the other side of the comparison has, as a host would set them.
fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_max_operations(1_000_000_000);
    engine.set_max_string_size(16_000_000);
    engine.set_max_array_size(16_000_000);
    engine.set_max_map_size(1_000_000);
    engine
}

#[cfg(target_os = "linux")]
fn milliseconds() -> f64 {
    #[repr(C)]
    struct Timespec {
        seconds: i64,
        nanoseconds: i64,
    }
    extern "C" {
        fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
    }
    const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
    let mut time = Timespec {
        seconds: 0,
        nanoseconds: 0,
    };
    unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.seconds as f64 * 1000.0 + time.nanoseconds as f64 / 1e6
}

#[cfg(not(target_os = "linux"))]
fn milliseconds() -> f64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().ok_or("how many rounds?")?.parse()?;
    let engine = engine();
    for file in arguments {
        let source = std::fs::read_to_string(&file)?;
        let start = milliseconds();
        let ast = engine.compile(&source)?;
        let mut line = vec![milliseconds() - start];
        let mut result = Dynamic::UNIT;
        for _ in 0..rounds {
            let start = milliseconds();
            result = engine.eval_ast(&ast)?;
            line.push(milliseconds() - start);
        }
        let times: Vec<String> = line.iter().map(|time| format!("{time:.4}")).collect();
        println!("{result}\t{}", times.join("\t"));
    }
    Ok(())
}
