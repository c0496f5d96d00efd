#compdef infra
# Completion of infra for zsh: source <(infra completion zsh), or as _infra in a folder of $fpath
_infra() {
    local line value help
    local -a values shown open open_shown
    for line in "${(@f)$(command infra complete --index $((CURRENT - 1)) -- "${(@Q)words}" 2>/dev/null)}"; do
        value=${line%%$'\t'*}
        help=${line#"$value"}
        help=${help#$'\t'}
        [[ -n $value ]] || continue
        if [[ $value == *[/:=] ]]; then
            open+=("$value")
            open_shown+=("$value${help:+  -- $help}")
        else
            values+=("$value")
            shown+=("$value${help:+  -- $help}")
        fi
    done
    (( $#values )) && compadd -l -d shown -a values
    (( $#open )) && compadd -S '' -l -d open_shown -a open
    (( $#values + $#open ))
}
if [[ ${funcstack[1]} == _infra ]]; then
    _infra "$@"
elif (( $+functions[compdef] )); then
    compdef _infra infra
fi
