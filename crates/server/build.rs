//! The console is what `npm run build` made in web/dist; nothing of Node runs here, and without it the server says so on its page.

use std::path::Path;

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script so what it builds"
)]
fn main() {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    // A debug build reads the files when they are asked for.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed={}", built.display());
    }
    // The folder has to be there. Where it cannot be made, the compiler says which it is.
    if let Err(error) = std::fs::create_dir_all(&built) {
        println!("cargo:warning={}: {error}", built.display());
    }
}
