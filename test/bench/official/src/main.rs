//! Runs Rhai scripts and prints their times, one line per file, separated by tabs: result, milliseconds to compile,
//! then milliseconds of each run.
//!
//! Usage: picloud-bench-official ROUNDS FILE...

use rhai::{Dynamic, Engine};
use std::time::Instant;

/// The limits that the other side of the comparison has, as a host would set them.
fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_max_operations(1_000_000_000);
    engine.set_max_string_size(16_000_000);
    engine.set_max_array_size(16_000_000);
    engine.set_max_map_size(1_000_000);
    engine
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().ok_or("how many rounds?")?.parse()?;
    let engine = engine();
    for file in arguments {
        let source = std::fs::read_to_string(&file)?;
        let start = Instant::now();
        let ast = engine.compile(&source)?;
        let mut line = vec![milliseconds(start)];
        let mut result = Dynamic::UNIT;
        for _ in 0..rounds {
            let start = Instant::now();
            result = engine.eval_ast(&ast)?;
            line.push(milliseconds(start));
        }
        let times: Vec<String> = line.iter().map(|time| format!("{time:.4}")).collect();
        println!("{result}\t{}", times.join("\t"));
    }
    Ok(())
}
