//! Tells the orchestrator's source that it is compiled to be interleaved.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=interleaved");
}
