"""Side-by-side measurements of isolated and its peers. Nothing here is imported by the product."""
