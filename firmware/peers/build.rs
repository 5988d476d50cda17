//! Links the peers, which `run.sh` compiled. Without them the program is checked and documented, but not linked.

fn main() {
    println!("cargo:rerun-if-env-changed=FOVEOLA_PEERS");
    println!("cargo:rerun-if-changed=build.rs");
    if let Ok(folder) = std::env::var("FOVEOLA_PEERS") {
        println!("cargo:rustc-link-search=native={folder}");
        println!("cargo:rustc-link-lib=static=peers");
        println!("cargo:rustc-link-arg-bins=-Tdefmt.x"); // foveola-qemu prints with it
        println!("cargo:rerun-if-changed={folder}/libpeers.a");
    }
}
