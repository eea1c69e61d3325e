/** Prints the words that can end a line: `<word>` tab `<meaning>`, a line each. The words after it are those of the line. */
export const WORDS_COMMAND = ['completion', 'words'] as const;
const ASK = WORDS_COMMAND.join(' ');

/*
 * The scripts take words as data: nothing that the command prints is evaluated by the shell. `complete -W` and `compgen -W` would.
 */
const BASH = `# bash completion of rescind
_rescind() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("\${COMP_WORDS[0]}" ${ASK} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _rescind rescind
`;

const ZSH = `#compdef rescind
_rescind() {
  local line word meaning
  local -a candidates
  while IFS= read -r line; do
    word=\${line%%$'\\t'*}
    meaning=\${line#*$'\\t'}
    candidates+=("\${word//:/\\\\:}\${meaning:+:$meaning}")
  done < <("\${words[1]}" ${ASK} "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then
    _describe rescind candidates
  else
    _files
  fi
}
compdef _rescind rescind
`;

const FISH = `# fish completion of rescind
function __rescind_words
  set -l words (commandline -opc)
  set -l typed (commandline -ct)
  $words[1] ${ASK} $words[2..-1] "$typed" 2>/dev/null
end
complete -c rescind -f -a '(__rescind_words)'
`;

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The script of each shell, which asks the command for the words. */
export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
