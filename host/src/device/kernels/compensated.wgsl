// A step of a compensated recursion: y += gain (x - y), and c is what the rounding of that sum lost. T is f32 or a vector of it, U the
// same of u32.
//
// A compiler that takes sums for exact would find c to be 0. It cannot know that p.zero is 0, and has to keep what was rounded.
fn kept(x: T) -> T {
    return bitcast<T>(bitcast<U>(x) ^ U(p.zero));
}

fn compensated(gain: f32, x: T, y: ptr<function, T>, c: ptr<function, T>) {
    let increment = kept(fma(T(gain), x - *y, *c));
    let sum = kept(*y + increment);
    *c = increment - kept(sum - *y);
    *y = sum;
}
