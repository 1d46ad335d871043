"""Bearer tokens of the institution's identity provider (OpenID Connect)."""
