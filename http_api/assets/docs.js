// Starts Swagger UI. A file of its own, because the page's security policy allows no inline script.
const page = document.getElementById("swagger-ui");
SwaggerUIBundle({
  domNode: page,
  url: page.dataset.openapi,
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: false,
  validatorUrl: null, // nothing is asked of anybody else's server
});
