//! framescope
pub mod capture;
pub mod export;
pub mod proto;
pub mod wire;
