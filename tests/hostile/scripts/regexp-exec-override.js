r=/x/g;r.exec=()=>({0:'',index:0,length:2**31});'x'.replace(r,'$1')
