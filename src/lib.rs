//! framescope
pub mod capture;
pub mod net;
pub mod proto;
pub mod wire;
