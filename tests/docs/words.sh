# Words that no file of the project may hold. (Brackets keep the patterns from matching themselves.)
. "$(dirname "$0")/lib.sh"

# forbid WHAT PATTERN: an extended regular expression of bytes, in text files.
forbid() {
    files | tr '\n' '\0' | xargs -0 grep -InE -e "$2" -- /dev/null | sed "s/^/$1: /" | cut -c 1-160
}

quotes=$(printf '\342\200[\230-\237]|\342\200[\271\272]|\302[\253\273]')
{
    files | at_least 100 "files"
    forbid "a path of some workplace" '(^|[^A-Za-z0-9_.])/(wor[k]|home/[a-z]+)(/|[^A-Za-z0-9_/]|$)'
    forbid "address of a package registry" \
        '(deb|security|snapshot|ftp)\.debia[n]\.org|archive\.ubunt[u]\.com|pyp[i]\.org|pythonhoste[d]\.org|npmj[s]\.(org|com)|crate[s]\.io|(proxy|sum)\.golan[g]\.org|rubygem[s]\.org|hub\.docke[r]\.com|conan\.i[o]'
    forbid "quotation mark outside ASCII" "$quotes"
} | report
