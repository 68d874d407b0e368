new Intl.ListFormat('en').format(Array.from({length:3e6},()=>'x'))
