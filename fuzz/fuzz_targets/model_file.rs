#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| foveola_fuzz::model_file(bytes));
