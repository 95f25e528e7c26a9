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
    <paletteEntry value="0" color="#d9d9d9" alpha="255" label="No"/>
    <paletteEntry value="1" color="#cc4c02" alpha="255" label="Yes"/>
    <paletteEntry value="255" color="#cc4c02" alpha="255" label="Yes"/>
   </colorPalette>
  </rasterrenderer>
 </pipe>
</qgis>
