// The number of a workgroup: more than 65,535 are folded into rows of 2^15.
fn group(id: vec3<u32>) -> u32 {
    return id.y * 32768u + id.x;
}

// The index inside 0 .. len that stands for `index` beyond a border: 0 replicate, 1 reflect, 2 zeros (-1), 3 circular.
fn border(index: i32, len: i32, mode: u32) -> i32 {
    if (index >= 0 && index < len) {
        return index;
    }
    if (mode == 0u) {
        return clamp(index, 0, len - 1);
    }
    if (mode == 2u) {
        return -1;
    }
    let period = select(len, 2 * (len - 1), mode == 1u);
    if (period == 0) {
        return 0;
    }
    let folded = ((index % period) + period) % period;
    return select(folded, period - folded, mode == 1u && folded >= len);
}
