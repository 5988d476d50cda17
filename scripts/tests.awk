# What `cargo test` prints, as a line for each test program; the output of those that fail, but for the tests that passed; the
# reason of each test that was skipped, in the order of their names. With FOVEOLA_SEED in the environment, the command that
# repeats a failed test.
#
#   cargo test 2>&1 | awk -v slow=FILE -v folder=FOLDER -f tests.awk
#
# slow: seconds and name of each program are added to this file; folder: the folder that cargo runs in.

# Puts a line among the reasons.
function note(line,    i) {
    for (i = reasons++; i >= 1 && reason[i] > line; i--) reason[i + 1] = reason[i]
    reason[i + 1] = line
}

function seconds(text) { return match(text, /(finished|ran) in [0-9.]+/) ? substr(text, RSTART, RLENGTH) : "" }

# Ends a program: its line, or its output.
function finish(    i, good) {
    if (name == "") return
    good = results > 0 && failed == 0
    if (good && passed + skipped + reasons == 0) return
    if (!good) printf "%s", output
    printf "%-32s %5d passed %3d failed %3d skipped %8.1f s%s\n", name, passed, failed, skipped, time, good ? "" : "  FAILED"
    for (i = 1; i <= reasons; i++) print "    " reason[i]
    if (!good && ENVIRON["FOVEOLA_SEED"] != "") for (i = 1; i <= faults; i++) print "repeat: " repeat " -- --exact '" fault[i] "'"
    if (slow != "") printf "%8.1f s  %s\n", time, name >> slow
    fflush()
}

function begin(new) {
    finish()
    name = new; output = ""
    results = passed = failed = skipped = time = reasons = faults = 0
}

# The command that runs a program again.
function how_to_repeat(program, unit,    trials, command) {
    trials = ENVIRON["FOVEOLA_TRIALS"]
    command = "FOVEOLA_SEED=" ENVIRON["FOVEOLA_SEED"] (trials == "" ? "" : " FOVEOLA_TRIALS=" trials) " cargo test --locked "
    if (folder == "firmware") return "cd firmware && " command "-p foveola-" program " --target host-tuple --test " program
    if (!unit) return command "-p foveola-tests --test " program
    gsub(/_/, "-", program)
    return command "-p " program " --lib" (program == "foveola" ? " --features gpu" : "")
}

/^ +Running / {
    program = $NF
    sub(/.*\//, "", program)
    sub(/-[0-9a-f]+\)$/, "", program)
    unit = $2 == "unittests"
    begin(unit ? program ", " $3 : program)
    repeat = how_to_repeat(program, unit)
    next
}
/^ +Doc-tests / { begin($2 ", documentation"); repeat = "cargo test --locked --doc -p " $2; next }
/^ +(Compiling|Checking|Finished|Fresh|Downloading|Downloaded|Updating|Locking|Blocking|Executable) / { next }
name == "" { print; fflush(); next }
/^test .* \.\.\. ok$/ { next }
/^test .* \.\.\. FAILED/ { line = $0; sub(/^test /, "", line); sub(/ \.\.\. FAILED.*/, "", line); fault[++faults] = line }
/^test .* \.\.\. ignored/ { line = $0; sub(/^test /, "", line); note(line) }
/^(left out|no device): / { note($0) }
/^test result:/ {
    results++
    for (i = 2; i <= NF; i++) {
        if ($i ~ /^passed/) passed += $(i - 1)
        if ($i ~ /^failed/) failed += $(i - 1)
        if ($i ~ /^ignored/) skipped += $(i - 1)
    }
}
{
    part = seconds($0)
    if (part != "" && (/^test result:/ || /^all doctests/)) { sub(/.* /, "", part); time = /^all doctests/ ? part : time + part }
    output = output $0 "\n"
}
END { finish() }
