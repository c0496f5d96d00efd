# Completion of infra for fish: infra completion fish > ~/.config/fish/completions/infra.fish
function __infra_complete
    set -l words (commandline -opc)
    command infra complete --index (count $words) -- $words (commandline -ct) 2>/dev/null
end
complete -c infra -f -a '(__infra_complete)'
