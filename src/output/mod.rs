//! GeoTIFF out.
