#compdef infra
# Completion of infra for zsh: source <(infra completion zsh), or as _infra in a folder of $fpath
_infra() {
    local line value help behind
    local -a asked values shown open open_shown fields
    # Of the word that is completed the part before the cursor counts, without the quote that is open.
    asked=("${(@Q)words[1,CURRENT - 1]}" "${(Q)${:-$compstate[quote]$PREFIX$compstate[quote]}}")
    for line in "${(@f)$(command infra complete --index $((CURRENT - 1)) -- "$asked[@]" 2>/dev/null)}"; do
        value=${line%%$'\t'*}
        help=${line#"$value"}
        help=${help#$'\t'}
        if [[ -z $value ]]; then
            fields=("${(@ps:\t:)help}")
            (( $#fields == 2 )) || continue
            behind=$fields[2]
            [[ -z $behind ]] || compset -P "${(b)behind}"
            if [[ $fields[1] == folders ]]; then _files -/; else _files; fi
            return
        fi
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
