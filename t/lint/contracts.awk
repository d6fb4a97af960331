# SPDX-License-Identifier: Apache-2.0
# Print public prototypes (include/, and a capability's headers) without a comment of their own directly above, as file:line: prototype.
FNR == 1 { last = 0; open = 0 }
/\/\*/ { open = 1 }
open { if (/\*\//) { open = 0; last = FNR } next }
/^[a-z].*\(/ && !/^(static|typedef|#|extern "C")/ && !/^(if|for|while|return|switch)\b/ {
	if (FNR - 1 != last && !($0 ~ /\/\*/)) print FILENAME ":" FNR ": " $0
}
