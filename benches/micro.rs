//! Wall time of the small functions on the data path: `cargo bench --bench micro`.

#[path = "rounds.rs"]
mod rounds;

fn main() {
    divan::main();
}

#[divan::bench(args = rounds::ROUNDS.iter().map(|(name, _)| *name))]
fn round(bencher: divan::Bencher<'_, '_>, name: &str) {
    if let Some((_, round)) = rounds::ROUNDS.iter().find(|(known, _)| *known == name) {
        bencher.bench(round);
    }
}
