Object.groupBy({[Symbol.iterator]:()=>({i:0,next(){return{value:this.i++}}})},x=>'k'+x)
