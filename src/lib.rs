//! framescope
pub mod capture;
pub mod export;
pub mod net;
pub mod proto;
pub mod wire;
