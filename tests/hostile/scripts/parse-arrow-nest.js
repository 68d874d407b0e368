eval('()=>'.repeat(5e4)+'1')
