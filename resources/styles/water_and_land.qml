<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="paletted" band="1" alphaBand="-1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <colorPalette>
    <paletteEntry value="0" color="#e5dcc3" alpha="255" label="Land"/>
    <paletteEntry value="1" color="#2b83ba" alpha="255" label="Water"/>
    <paletteEntry value="255" color="#2b83ba" alpha="255" label="Water"/>
   </colorPalette>
  </rasterrenderer>
 </pipe>
</qgis>
