# Completion of infra for bash: source <(infra completion bash)
_infra() {
    local line=${COMP_LINE:0:COMP_POINT} words=() word='' begun='' quote='' kept='' char next i
    # Bash splits words at `:` and `=` too, and leaves quotes in them: the line is read anew. What readline replaces
    # begins behind an open quote, or behind the last character that parts words for it: what is before it is kept.
    for ((i = 0; i < ${#line}; i++)); do
        char=${line:i:1} next=${line:i+1:1}
        if [[ $quote == "'" ]]; then
            if [[ $char == "'" ]]; then quote=''; else word+=$char; fi
        elif [[ $char == "\\" ]]; then
            [[ $quote == '"' && $next != [\"\$\`\\] ]] && word+=$char
            word+=$next begun=1
            ((i += 1))
        elif [[ $quote == '"' ]]; then
            if [[ $char == '"' ]]; then quote=''; else word+=$char; fi
        elif [[ $char == [\'\"] ]]; then
            quote=$char kept=$word begun=1
        elif [[ $char == [[:space:]] ]]; then
            [[ -n $begun ]] && words+=("$word")
            word='' begun='' kept=''
        else
            word+=$char begun=1
            [[ $COMP_WORDBREAKS == *"$char"* ]] && kept=$word
        fi
    done
    words+=("$word")
    local value what behind file
    COMPREPLY=()
    while IFS= read -r line; do
        value=${line%%$'\t'*}
        if [[ -z $value && $line == *$'\t'*$'\t'* ]]; then
            behind=${line##*$'\t'} what=${line#$'\t'}
            what=${what%%$'\t'*}
            # Readline quotes names of files, and marks folders, where it sees the whole name.
            compopt -o filenames 2>/dev/null
            [[ $what == folders ]] && what=-d || what=-f
            while IFS= read -r file; do
                value=$behind$file
                [[ $behind != "$kept" && -d ${file/#\~\//"$HOME"/} ]] && value+=/
                COMPREPLY+=("${value#"$kept"}")
            done < <(compgen "$what" -- "${word#"$behind"}")
            continue
        fi
        value=${value#"$kept"}
        [[ -n $value ]] || continue
        case $quote in
            "'") value=${value//\'/"'\\''"} ;;
            '"')
                # shellcheck disable=SC1003  # no single quote is meant
                value=${value//\\/'\\'} value=${value//\"/'\"'} value=${value//\$/'\$'} value=${value//\`/'\`'}
                value=${value//\!/"\"'!'\""}
                ;;
            *) printf -v value %q "$value" ;;
        esac
        COMPREPLY+=("$value")
    done < <(command infra complete --index "$((${#words[@]} - 1))" -- "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}
complete -F _infra infra
