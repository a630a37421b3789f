//! framescope
pub mod capture;
pub mod proto;
pub mod wire;
