addEventListener('unhandledrejection',()=>Promise.reject(1));Promise.reject(0)
