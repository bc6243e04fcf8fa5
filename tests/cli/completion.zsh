# A tab behind "persona doc" in a fresh zsh gives "doctor": completion.zsh FOLDER, which holds _persona.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=($1 \$fpath); autoload -Uz compinit && compinit -u -d $1/dump; unsetopt beep"
sleep 1
zpty -w -n shell "persona doc"$'\t'
zpty -r shell answer "*doctor*" && print found
