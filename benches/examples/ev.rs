use foveola_benches::events::*; use foveola::bench::measure_all;
fn main(){ let s=Stream::new(1_000_000).unwrap(); let mut e=s.entrants().unwrap();
 println!("{} s", e[0].seconds);
 let n:Vec<_>=e.iter().map(|e|(e.workload,e.who,e.bytes,e.events)).collect();
 let mut c:Vec<_>=e.drain(..).map(|e|e.contestant).collect();
 for (n,t) in n.iter().zip(measure_all(&mut c,1.0).unwrap()) { println!("{:30} {:10} {:7.1} Mev/s (best quarter {:7.1}) {:.0} MB/s", n.0,n.1,1e-6/t.median,1e-6/t.lower, n.2 as f64/n.3 as f64*1e-6/t.median);} }
