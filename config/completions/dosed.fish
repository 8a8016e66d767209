complete --keep-order --exclusive --command dosed --arguments "(COMPLETE=fish dosed -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
