#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| framescope_fuzz::tls(data));
