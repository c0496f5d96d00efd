# Completion of infra for fish: infra completion fish > ~/.config/fish/completions/infra.fish
function __infra_complete
    set -l words (commandline -opc)
    set -l raw (commandline -ct)
    # The word as the program will get it; one within an open quote is closed for that.
    set -l word (string unescape -- $raw; or string unescape -- "$raw'"; or string unescape -- "$raw\""; or echo -- $raw)
    for line in (command infra complete --index (count $words) -- $words "$word" 2>/dev/null)
        set -l parts (string split \t -- $line)
        if test -n "$parts[1]"; or test (count $parts) -lt 3
            echo -- $line
            continue
        end
        # Paths are completed as behind a command that nobody knows.
        set -l rest (string sub --start (math (string length -- "$parts[3]") + 1) -- "$raw")
        set -l paths (complete -C "__infra_of_no_kind $rest")
        test "$parts[2]" = folders; and set paths (string match -r '^[^\t]*/(?:\t.*)?$' -- $paths)
        for path in $paths
            echo -- "$parts[3]$path"
        end
    end
end
complete -c infra -f -a '(__infra_complete)'
