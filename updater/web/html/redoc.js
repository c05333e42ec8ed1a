// The search would need a worker made from a blob, which the page's policy forbids.
Redoc.init("../openapi.json", { disableSearch: true }, document.getElementById("redoc"));
