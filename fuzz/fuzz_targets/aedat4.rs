#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| foveola_fuzz::recording(Some(foveola::Format::Aedat4), bytes));
