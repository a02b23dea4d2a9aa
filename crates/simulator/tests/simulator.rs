//! The simulator over real HTTP.
#![expect(clippy::unwrap_used, reason = "tests")]

mod simulator {
    mod access;
    mod comments;
    mod core;
    mod faults;
    mod harness;
    mod nodes;
    mod queries;
    mod reads;
    mod shapes;
    mod streams;
    mod writes;
}
