# Completion of infra for bash: source <(infra completion bash)
_infra() {
    local line=${COMP_LINE:0:COMP_POINT} words=() rest word i
    # Bash splits words at `:` and `=` too: what no blank parts is put together again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        rest=${line#"${line%%[![:space:]]*}"}
        word=${COMP_WORDS[i]}
        ((i == COMP_CWORD)) && word=$rest
        if ((i > 0)) && [[ $line == "$rest" && -n $line ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
        line=${rest#"$word"}
    done
    local last=$((${#words[@]} - 1))
    local typed=${words[last]}
    words=("${words[@]//[\\\"\']/}")
    local current=${words[last]}
    # And it replaces only what stands behind the last of them.
    local kept=${current%"${current##*[:=]}"} value
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        [[ -n $value ]] || continue
        value=${value#"$kept"}
        # Within quotes it stands as it is.
        [[ $typed == [\"\']* ]] || printf -v value %q "$value"
        COMPREPLY+=("$value")
    done < <(command infra complete --index "$last" -- "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}
complete -F _infra infra
