eval('async()=>await ('.repeat(5000)+'1'+')'.repeat(5000))
