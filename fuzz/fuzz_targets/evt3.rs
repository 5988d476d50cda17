#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| foveola_fuzz::decoder(foveola_core::events::Evt3::new, bytes));
