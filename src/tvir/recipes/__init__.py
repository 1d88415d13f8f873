"""Published models, one small file each: settings of the models of this package, found by walking."""
