//! framescope
fn main() {}
