//! Every workload of `foveola bench`, beside its competitors: with one thread and two, at the reproducible lanes (tiles of
//! `wide`), as plain loops, and with `imageproc` where it has the operation. Throughput is in frames a second.

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use foveola_benches::entrants;
use foveola_cli::bench::{self, Contestant};
use std::time::Duration;

fn workloads(c: &mut Criterion) {
    for workload in bench::table() {
        let mut group = c.benchmark_group(&workload.name);
        group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(500));
        // Pieces take a while: as often in each sample.
        group.sampling_mode(SamplingMode::Flat);
        for entrant in entrants(&workload, &[1, 2]).expect("a workload of the table builds") {
            let name = entrant.name();
            let Contestant { work, mut call, .. } = entrant.contestant;
            group.throughput(Throughput::Elements(work as u64));
            group.bench_function(name, |b| b.iter(|| call().expect("a piece of frames")));
        }
        group.finish();
    }
}

criterion_group!(benches, workloads);
criterion_main!(benches);
