//! What this machine can do at most with one thread and with all of its cores: see `foveola_cli::bench::Limits`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use foveola::SimdLevel;
use foveola_cli::bench::{Contestant, Place, Probe, cores};
use std::time::Duration;

fn limits(c: &mut Criterion) {
    let registers = SimdLevel::available().into_iter().map(Probe::MultiplyAdd);
    let memory = Place::ALL.into_iter().flat_map(|place| [Probe::Copy(place), Probe::Read(place)]);
    let mut group = c.benchmark_group("limits");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(500));
    for probe in registers.chain(memory) {
        for threads in [1, cores()].into_iter().take(cores().min(2)) {
            let Contestant { name, work, mut call } = probe.contestant(threads).expect("memory for 256 MB");
            group.throughput(match probe {
                Probe::MultiplyAdd(_) => Throughput::Elements(work as u64),
                _ => Throughput::Bytes(work as u64),
            });
            group.bench_function(name, |b| b.iter(|| call().expect("no error")));
        }
    }
    group.finish();
}

criterion_group!(benches, limits);
criterion_main!(benches);
