# The table of the README, of what a program printed on the Cortex-M4, the Cortex-M55 without Helium and with it, in that order.

function grouped(n) { return n < 1000 ? n : grouped(int(n / 1000)) "," sprintf("%03d", n % 1000) }

FNR == 1 { machine++; row = 0; alone = 0 }

# A peer: 50 columns of name, and its instructions.
/^    / {
    split(substr($0, 55), number, " ")
    if (/^    CMSIS-DSP/ && (!alone || number[1] < alone)) alone = number[1]
}

# Ours beside the best of them: 54 columns of name, ours, theirs, ratio, verdict.
/^[^ ]/ && / (met|missed) / {
    split(substr($0, 55), number, " ")
    name[++row] = substr($0, 1, 54)
    sub(/ +$/, "", name[row])
    cell[row] = cell[row] " | " grouped(number[1]) " / " grouped(number[2]) " = " number[3]
    if (alone) cell[row] = cell[row] sprintf(" (%.2f)", number[1] / alone)
    verdict[row] = verdict[row] (machine > 1 ? ", " : "") number[4]
    alone = 0
}

END {
    print "| | Cortex-M4 | Cortex-M55, scalar | Cortex-M55, Helium | at most 1.0 |"
    print "|---|---|---|---|---|"
    for (i = 1; i <= row; i++) {
        if (verdict[i] == "met, met, met") verdict[i] = "met"
        if (verdict[i] == "missed, missed, missed") verdict[i] = "missed"
        print "| " name[i] cell[i] " | " verdict[i] " |"
    }
}
