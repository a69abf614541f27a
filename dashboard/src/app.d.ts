import "@sveltejs/kit";
