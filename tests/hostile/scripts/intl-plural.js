a=[];for(;;)a.push(new Intl.PluralRules('ar'),new Intl.RelativeTimeFormat('pl'),new Intl.DisplayNames('fr',{type:'region'}))
