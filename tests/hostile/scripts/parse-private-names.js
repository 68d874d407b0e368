eval('class A{'+Array.from({length:2e5},(_,i)=>'#p'+i+'=1;').join('')+'};new A')
